// graphql-ws, the reference client: subscribes, says so, and prints each event until it has as many as it was asked for.
// node ws.mjs URL COOKIE QUERY VARIABLES COUNT
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.env.EXPLORER}/package.json`));
const { createClient } = require('graphql-ws');
const { WebSocket } = require('ws');

const [url, cookie, query, variables, count] = process.argv.slice(2);

class SignedInSocket extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: { cookie, origin: url } });
  }
}

const client = createClient({
  url: `${url.replace('http', 'ws')}/graphql`,
  webSocketImpl: SignedInSocket,
  retryAttempts: 0,
  lazy: false,
  on: { connected: () => console.log(JSON.stringify({ connected: true })) },
});
let left = Number(count);
for await (const result of client.iterate({ query, variables: JSON.parse(variables) })) {
  console.log(JSON.stringify(result));
  left -= 1;
  if (left === 0) break;
}
await client.dispose();
