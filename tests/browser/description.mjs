// Saves the OpenAPI description of a server: description.mjs URL FILE.
import { writeFile } from 'node:fs/promises';

const [, , url, file] = process.argv;
const answer = await fetch(`${url}/api/v1/openapi.json`);
if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
await writeFile(file, await answer.text());
