import { mergeConfig } from 'vitest/config';
import e2e from './vitest.e2e.config';

export default mergeConfig(e2e, { test: { include: ['integrations/**/*.test.ts'], exclude: ['integrations/projects/**'] } });
