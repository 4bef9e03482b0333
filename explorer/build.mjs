// Bundles GraphiQL and its editor's workers into dist/, which the server serves at /explorer.
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { build } from 'esbuild';

const outdir = 'dist';
const common = {
  bundle: true,
  minify: true,
  outdir,
  target: 'es2022',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'linked',
  logLevel: 'warning',
};

await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
await build({
  ...common,
  entryPoints: { main: 'src/main.jsx' },
  format: 'esm',
  jsx: 'automatic',
  assetNames: '[name]',
  loader: { '.ttf': 'file' },
});
await build({
  ...common,
  entryPoints: {
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  format: 'iife',
});
await copyFile('src/index.html', `${outdir}/index.html`);
console.log(`explorer built: main.js ${Math.round((await stat(`${outdir}/main.js`)).size / 1024)} KiB`);
