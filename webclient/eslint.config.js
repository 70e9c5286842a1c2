// What `npm run lint` refuses. Prettier owns the layout; these rules own mistakes.
import comments from '@eslint-community/eslint-plugin-eslint-comments/configs';
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores(['dist/', 'lib/', 'packaging/typings/', 'integrations/projects/', 'test-results/', 'public/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  { files: ['packaging/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
  comments.recommended,
  // A rule may be disabled where it is wrong, with the reason beside it.
  { rules: { '@eslint-community/eslint-comments/require-description': 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    // Functions should have about 10 lines; the limits refuse those that are much longer.
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { complexity: ['error', 20], 'max-lines': ['error', 400], 'max-lines-per-function': ['error', 60] },
  },
  {
    // Tests assert what they need (x!), fake async interfaces without waiting, write a script of several calls as one
    // expression, and release in afterAll what a failed beforeAll may not have set.
    files: ['**/*.test.ts', 'src/liveness/testing.ts', 'e2e/**', 'packaging/**/*.ts', 'integrations/*.ts', 'calls/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  prettier,
);
