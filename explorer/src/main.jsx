import './workers.js';
import 'graphiql/style.css';
import './style.css';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createFetcher, createSocket } from './api.js';
import { EXAMPLES } from './examples.js';
import { InstanceMessage } from './message.jsx';
import { SignIn, SignOut, useSession } from './session.jsx';
import { Upload } from './upload.jsx';

function Bar({ session, refresh }) {
  const { server, viewer } = session;
  return (
    <header className="bar">
      <strong>Virtool</strong>
      <span className="version">{server.version}</span>
      {viewer ? (
        <>
          <Upload />
          <SignOut viewer={viewer} onSignedOut={refresh} />
        </>
      ) : (
        <SignIn server={server} onSignedIn={refresh} />
      )}
    </header>
  );
}

function Workbench({ refresh }) {
  const [socket] = useState(createSocket);
  const [fetcher] = useState(() => createFetcher(socket));
  return (
    <>
      <InstanceMessage socket={socket} refresh={refresh} />
      <GraphiQL fetcher={fetcher} defaultTabs={EXAMPLES} defaultEditorToolsVisibility="variables" />
    </>
  );
}

function Explorer() {
  const { session, problem, refresh } = useSession();
  const viewerId = session?.viewer?.id;
  if (!session) return <p role="alert">{problem || 'Loading…'}</p>;
  return (
    <div className="page">
      <Bar session={session} refresh={refresh} />
      {viewerId && <Workbench key={viewerId} refresh={refresh} />}
    </div>
  );
}

createRoot(document.getElementById('explorer')).render(<Explorer />);
