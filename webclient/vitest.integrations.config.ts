import { defineConfig } from 'vitest/config';
import e2e from './vitest.e2e.config';

export default defineConfig({ test: { ...e2e.test, include: ['integrations/*.test.ts'], testTimeout: 150_000, hookTimeout: 150_000 } });
