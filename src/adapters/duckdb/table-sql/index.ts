export { translated } from './translate.ts'
