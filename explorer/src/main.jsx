import './workers.js';
import 'graphiql/style.css';
import './style.css';
import { GraphiQL } from 'graphiql';
import { useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { createFetcher } from './api.js';
import { EXAMPLES } from './examples.js';
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

function Explorer() {
  const { session, problem, refresh } = useSession();
  const viewerId = session?.viewer?.id;
  const fetcher = useMemo(createFetcher, [viewerId]);
  if (problem) return <p role="alert">{problem}</p>;
  if (!session) return <p>Loading…</p>;
  return (
    <div className="page">
      <Bar session={session} refresh={refresh} />
      {viewerId && (
        <GraphiQL
          key={viewerId}
          fetcher={fetcher}
          defaultTabs={EXAMPLES}
          defaultEditorToolsVisibility="variables"
        />
      )}
    </div>
  );
}

createRoot(document.getElementById('explorer')).render(<Explorer />);
