// What an administrator tells everybody, as it is at any moment.
import { useEffect, useState } from 'react';
import { execute } from './api.js';

const READ = '{ cursor instanceMessage { message color } }';
const WATCH = 'subscription InstanceMessage($after: Cursor) { instanceMessages(after: $after) { cursor } }';

function useInstanceMessage(socket, refresh) {
  const [message, setMessage] = useState(null);
  useEffect(() => {
    let newest = 0; // of answers that cross, the one to the latest question counts
    let stop = () => {};
    let isOver = false;
    async function read() {
      newest += 1;
      const number = newest;
      const { cursor, instanceMessage } = await execute(READ);
      if (number === newest && !isOver) setMessage(instanceMessage);
      return cursor;
    }
    // The server closes the socket of who is signed out elsewhere: the page looks again who it is.
    const end = () => refresh().catch(() => {});
    const forget = socket.on('closed', end);
    function watch(after) {
      if (isOver) return;
      const sink = { next: () => read().catch(end), error: end, complete() {} };
      stop = socket.subscribe({ query: WATCH, variables: { after } }, sink);
    }
    read().then(watch).catch(end);
    return () => {
      isOver = true;
      forget();
      stop();
    };
  }, [socket, refresh]);
  return message;
}

export function InstanceMessage({ socket, refresh }) {
  const message = useInstanceMessage(socket, refresh);
  return (
    <div role="status" aria-label="Message to everybody">
      {message && <p className={`message ${message.color.toLowerCase()}`}>{message.message}</p>}
    </div>
  );
}
