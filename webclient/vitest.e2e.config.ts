import { defineConfig } from 'vitest/config';

// Browsers and servers are heavy: two files at a time, each with a browser and a server of its own, since most of the time is the films' own.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    poolOptions: { forks: { maxForks: 2 } },
    testTimeout: 90_000,
    hookTimeout: 90_000,
    retry: 1, // a second browser and server run beside; the reporter marks what passed on the second try
    reporters: ['verbose'],
  },
});
