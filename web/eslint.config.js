/** Lint rules of the pages. Whatever they say is an error: `npm run lint` allows no warnings. */
import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import ts from 'typescript-eslint'

const DESK_ONLY = {
  patterns: [
    { group: ['**/desk', '**/desk/**'], message: 'The trainee pages and what they share may not depend on the desk.' },
  ],
}

const BANNED_NAMES = ['user', 'User', 'student', 'Student', 'manager', 'Manager', 'helper', 'Helper', 'utils', 'Utils']

export default ts.config(
  { ignores: ['dist', 'node_modules', 'coverage'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...vue.configs['flat/essential'],
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: ts.parser, projectService: true, extraFileExtensions: ['.vue'] },
    },
    rules: {
      complexity: ['error', 8],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 40, skipComments: true, skipBlankLines: true }],
      'id-denylist': ['error', ...BANNED_NAMES],
      'no-restricted-imports': ['error', DESK_ONLY],
      'no-console': 'error',
      'vue/no-v-html': 'error',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/multi-word-component-names': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  // Generated as one file.
  { files: ['src/wire/types.ts'], rules: { 'max-lines': 'off' } },
  // A test's describe() holds many cases: its length says nothing.
  { files: ['**/*.test.ts'], rules: { 'max-lines-per-function': 'off' } },
  // The desk, and a capability's own desk folder, may use each other.
  { files: ['src/desk/**', 'src/*/desk/**'], rules: { 'no-restricted-imports': 'off' } },
  // State is plain data and functions, tested without a page.
  {
    files: ['src/**/state.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [...DESK_ONLY.patterns, { group: ['vue', 'vue-router', '*.vue'], message: 'State imports no Vue: the components only render it.' }] },
      ],
    },
  },
  { files: ['*.mjs', '*.js'], ...ts.configs.disableTypeChecked },
  { files: ['*.mjs', '*.js'], languageOptions: { globals: globals.node }, rules: { 'no-console': 'off' } },
)
