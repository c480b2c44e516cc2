/** XML text: every character that XML 1.0 allows, and nothing that it would act on. */
import { manyLines, oneLine } from './plain.ts'

// Beyond what plain.ts makes visible: code points that XML 1.0 (section 2.2, Char) has no place for.
const forbidden = /[\ufffe\uffff]/g

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

function escape(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>"']/g, (c) => entities[c] ?? c)
}

/** For content: line feeds and tabs stay. */
export function xmlText(text: string): string {
  return escape(manyLines(text))
}

/** An element; attributes without a value are left out. `content` is XML already. */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  content = '',
): string {
  const told = Object.entries(attributes)
    .filter((a): a is [string, string | number] => a[1] !== undefined)
    .map(([k, v]) => ` ${k}="${escape(oneLine(String(v)))}"`)
    .join('')
  return content === '' ? `<${name}${told}/>` : `<${name}${told}>${content}</${name}>`
}
