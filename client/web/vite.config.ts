import {readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {defineConfig, type Plugin} from 'vite';

/** Leaves FILE.gz of every FILE: the server compresses nothing, and every browser takes gzip. */
function gzipped(): Plugin {
  let folder = '';
  return {
    name: 'gzipped',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle: () => {
      for (const name of readdirSync(folder, {recursive: true, encoding: 'utf8'})) {
        const path = join(folder, name);
        if (!statSync(path).isFile() || name.endsWith('.gz')) continue;
        writeFileSync(path + '.gz', gzipSync(readFileSync(path), {level: 9}));
        rmSync(path);
      }
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [gzipped()],
  // The runtime as files of its own: its threads are workers that load it again.
  resolve: {conditions: ['onnxruntime-web-use-extern-wasm']},
  worker: {format: 'es'},
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    chunkSizeWarningLimit: 1000,
  },
});
