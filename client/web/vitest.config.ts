import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';

// The tests lie with all others, beyond this folder and its node_modules.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: {alias: {vitest: fileURLToPath(new URL('node_modules/vitest', import.meta.url))}},
  test: {include: ['tests/web/*.test.ts'], cache: false},
});
