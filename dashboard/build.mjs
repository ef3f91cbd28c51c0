// SPDX-License-Identifier: Apache-2.0
// Bundles src/ into dist/, which the router's build embeds. The same source and
// package-lock.json give the same bytes. `--out DIR` writes elsewhere.
import {build} from 'esbuild';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const at = process.argv.indexOf('--out');
const out = at < 0 ? join(here, 'dist') : process.argv[at + 1];

// What is in the bundle, and under which terms.
function licenses() {
  const {dependencies} = JSON.parse(
      readFileSync(join(here, 'package.json'), 'utf8'));
  const parts = ['The dashboard contains these libraries.\n'];
  for (const [name, version] of Object.entries(dependencies)) {
    const text = readFileSync(join(here, 'node_modules', name, 'LICENSE'),
                              'utf8').replaceAll('\r\n', '\n').trim();
    parts.push(`${'='.repeat(72)}\n${name} ${version}\n\n${text}\n`);
  }
  return parts.join('\n');
}

mkdirSync(out, {recursive: true});
await build({
  absWorkingDir: here,
  entryPoints: {app: 'src/main.tsx'},
  outdir: out,
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // licenses.txt has them.
  legalComments: 'none',
  logLevel: 'warning',
});
writeFileSync(join(out, 'licenses.txt'), licenses());
writeFileSync(join(out, 'index.html'),
              readFileSync(join(here, 'src/index.html')));
