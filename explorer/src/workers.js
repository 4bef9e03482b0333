// Monaco's language services run in workers that we serve ourselves.
const WORKERS = { graphql: 'graphql.worker.js', json: 'json.worker.js' };

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(`/explorer/${WORKERS[label] ?? 'editor.worker.js'}`),
};
