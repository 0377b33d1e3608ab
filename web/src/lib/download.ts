// Handing a file to the browser as a link would.

/** Without a name the file has the one that the server gives it. */
export function download(address: string, name = ""): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}
