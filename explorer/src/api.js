// How the page talks to the server: one URL, the session's cookie, and a WebSocket for subscriptions.
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const URL_PATH = '/graphql';
const PREFLIGHT = { 'x-graphql-preflight': '1' };
const UNREACHABLE = 'The server does not answer; try again in a moment.';

async function answerTo(body) {
  try {
    const response = await fetch(URL_PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...PREFLIGHT },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    throw new Error(UNREACHABLE);
  }
}

export async function execute(query, variables) {
  const { data, errors } = await answerTo({ query, variables });
  if (errors) throw new Error(errors.map((error) => error.message).join(' '));
  return data;
}

export function createSocket() {
  const address = new URL(URL_PATH, globalThis.location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  return createClient({ url: address.href, lazy: true, retryAttempts: 5 });
}

export function createFetcher(wsClient) {
  return createGraphiQLFetcher({ url: URL_PATH, headers: PREFLIGHT, wsClient });
}

const typeOf = (file) => (/\.json(\.gz)?$/i.test(file.name) ? 'REFERENCE' : 'READS');

export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/uploads?${new URLSearchParams({ name: file.name, type: typeOf(file) })}`);
    request.setRequestHeader('x-graphql-preflight', '1');
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(event.total, 1));
    request.onload = () => {
      const answer = JSON.parse(request.responseText);
      if (request.status === 201) resolve(answer);
      else reject(new Error(answer.message));
    };
    request.onerror = () => reject(new Error('The connection to the server was lost.'));
    request.send(file);
  });
}
