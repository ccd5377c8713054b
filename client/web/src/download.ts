// Files of the server.

/** Throws what can be told to the user; `what` is fetched. */
export async function fetchBytes(url: string, what: string): Promise<Uint8Array> {
  const response = await fetch(url).catch(() => {
    throw new Error(`${what} cannot be fetched from the server`);
  });
  if (!response.ok) throw new Error((await response.text()).trim().slice(0, 300) || `${what}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
