/**
 * Downloads of media behind presigned URLs to a local file. The URL is a bearer secret: it never
 * appears in errors or logs.
 */
export interface FetchFileRequest {
  readonly url: string
  /** Final path; written under a temporary name in the same directory, then moved. */
  readonly destination: string
  /** File name from the API; decides the allowed type together with the content. */
  readonly fileName: string
  readonly signal?: AbortSignal
}

export interface FetchedFile {
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** MIME type by content, else as the server said, normalised; null when unknown. */
  readonly contentType: string | null
}

export interface FileFetcher {
  /**
   * Rejects with `TransferError`: `URL_REFUSED`, `DOWNLOAD_FAILED` (transient), `DOWNLOAD_REJECTED`,
   * `DOWNLOAD_EXPIRED` (401, 403, 410 or an expired link: the caller renews it), `FILE_TYPE_REFUSED`,
   * `FILE_TOO_LARGE`, `STORAGE_UNAVAILABLE` (local disk).
   */
  fetch(request: FetchFileRequest): Promise<FetchedFile>
  close(): Promise<void>
}
