/** Checks of the files: each expected one once, byte for byte, nothing beyond, nothing left over. */
import { str } from './coercion.ts'
import { Differences, show } from './differences.ts'
import { linkProblem } from './projection.ts'
import type { Truth } from './truth.ts'
import type { Check, EndStateView, MediaFile, World } from './types.ts'

const HASHES_AT_ONCE = 4

/** Media that must be stored, by id. */
export function expectedFiles(world: World, truth: Truth): Map<string, MediaFile> {
  const files = new Map<string, MediaFile>()
  for (const mediaId of truth.media.keys()) {
    const file = world.mediaFile(mediaId)
    if (file?.hasLink === true && !file.refused) files.set(String(mediaId), file)
  }
  return files
}

export async function checkFiles(world: World, truth: Truth, view: EndStateView): Promise<Check[]> {
  const expected = expectedFiles(world, truth)
  const inventory = await checkInventory(world, expected, view)
  const stored = await checkStored(world, expected, inventory.paths, view)
  return [inventory.check, ...stored]
}

/** `claimx_attachments`, and the path of each media. */
async function checkInventory(
  world: World,
  expected: ReadonlyMap<string, MediaFile>,
  view: EndStateView
): Promise<{ check: Check; paths: Map<string, string> }> {
  const differences = new Differences()
  const paths = new Map<string, string>()
  const owners = new Map<string, string>()
  const columns = ['media_id', 'project_id', 'blob_path', 'file_type', 'file_name']
  const rest = ['bytes_downloaded', 'download_url']
  for (const row of await view.readTable('claimx_attachments', [...columns, ...rest])) {
    const id = String(row['media_id'])
    const file = expected.get(id)
    if (paths.has(id)) {
      differences.add(`media ${id} occurs more than once`)
      continue
    }
    const path = String(row['blob_path'])
    paths.set(id, path)
    if (file === undefined) {
      differences.add(`media ${id} should not be here`)
      continue
    }
    const owner = owners.get(path)
    if (owner !== undefined) differences.add(`media ${id} and ${owner} share the path ${path}`)
    owners.set(path, id)
    compareInventory(world, file, row, differences)
  }
  for (const id of expected.keys()) if (!paths.has(id)) differences.add(`media ${id} is missing`)
  return { check: differences.check('claimx_attachments', `${paths.size} media`), paths }
}

function compareInventory(
  world: World,
  file: MediaFile,
  row: Readonly<Record<string, unknown>>,
  differences: Differences
): void {
  const differ = (column: string, wanted: string): void => {
    const found = show(row[column])
    differences.add(`${file.mediaId} ${column}: expected ${wanted}, found ${found}`)
  }
  const answer = world.mediaAnswer(file.mediaId) ?? {}
  const folder = `${file.projectId}/media/`
  if (row['project_id'] !== String(file.projectId)) differ('project_id', String(file.projectId))
  if (!String(row['blob_path']).startsWith(folder)) differ('blob_path', `${folder}…`)
  if (Number(row['bytes_downloaded']) !== file.size) differ('bytes_downloaded', String(file.size))
  for (const [column, field] of [
    ['file_name', 'mediaName'],
    ['file_type', 'mediaType']
  ] as const) {
    const wanted = str(answer[field])
    if (String(row[column] ?? '').trim() !== (wanted ?? '')) differ(column, show(wanted))
  }
  const url = row['download_url']
  const wrong = linkProblem(url, file)
  if (wrong !== undefined) differ('download_url', wrong)
  else if (String(url).includes('?')) differ('download_url', 'no query: it holds a signature')
}

async function checkStored(
  world: World,
  expected: ReadonlyMap<string, MediaFile>,
  paths: ReadonlyMap<string, string>,
  view: EndStateView
): Promise<Check[]> {
  const differences = new Differences()
  const orphans = new Differences()
  const byPath = new Map<string, MediaFile>()
  for (const [id, file] of expected) {
    const path = paths.get(id)
    if (path !== undefined) byPath.set(path, file)
  }
  let bytes = 0
  const found = byPath.size
  const running = new Set<Promise<void>>()
  for await (const { path, size } of view.listFiles()) {
    const file = byPath.get(path)
    if (file === undefined) {
      orphans.add(`${path} (${size} bytes)`)
      continue
    }
    byPath.delete(path)
    bytes += size
    if (size !== file.size) {
      differences.add(`${path}: expected ${file.size} bytes, found ${size}`)
      continue
    }
    const job = compareHash(world, view, file, path, differences).finally(() => {
      running.delete(job)
    })
    running.add(job)
    if (running.size >= HASHES_AT_ONCE) await Promise.race(running)
  }
  await Promise.all(running)
  for (const [path, file] of byPath) {
    differences.add(`${path} (media ${file.mediaId}) does not exist`)
  }
  return [
    differences.check('files', `${found} files, ${bytes} bytes, every SHA-256 as in ClaimX`),
    orphans.check('no file beyond these', `${found} files in all`)
  ]
}

async function compareHash(
  world: World,
  view: EndStateView,
  file: MediaFile,
  path: string,
  differences: Differences
): Promise<void> {
  const found = await view.hashFile(path)
  const wanted = world.mediaDigest(file.mediaId)
  if (found.toLowerCase() !== wanted) {
    differences.add(`${path}: expected SHA-256 ${wanted}, found ${found}`)
  }
}
