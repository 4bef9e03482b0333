// graphql-sse, the reference client, in distinct connections mode.
// node sse.mjs URL COOKIE QUERY VARIABLES COUNT
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.env.EXPLORER}/package.json`));
const { createClient } = require('graphql-sse');

const [url, cookie, query, variables, count] = process.argv.slice(2);
const client = createClient({
  url: `${url}/graphql`,
  headers: { cookie, 'x-graphql-preflight': '1' },
  retryAttempts: 0,
  onMessage: () => {},
});
let left = Number(count);
console.log(JSON.stringify({ connected: true }));
for await (const result of client.iterate({ query, variables: JSON.parse(variables) })) {
  console.log(JSON.stringify(result));
  left -= 1;
  if (left === 0) break;
}
client.dispose();
