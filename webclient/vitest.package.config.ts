import { defineConfig } from 'vitest/config';

// Builds, packs and unpacks once; then other programs use what came out.
export default defineConfig({
  test: {
    include: ['packaging/**/*.test.ts'],
    environment: 'node',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
