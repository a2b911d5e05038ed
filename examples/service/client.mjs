// Submit, follow, download: Laban's service in plain JavaScript (Node 20). Needs `laban serve` to run.
import { writeFile } from "node:fs/promises";

const base = process.argv[2] ?? "http://127.0.0.1:8021";

async function ask(path, options) {
  const answer = await fetch(base + path, options); // with an Authorization header, where the service wants a token
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer;
}

const wanted = { kind: "generate", args: { text: "a person waves", seconds: 3 }, formats: ["glb"] };
const headers = { "Content-Type": "application/json" };
const job = await (await ask("/v1/jobs", { method: "POST", headers, body: JSON.stringify(wanted) })).json();
for await (const part of (await ask(job.links.events)).body) process.stdout.write(part);
for (const file of (await (await ask(job.links.self)).json()).files)
  await writeFile(file.name, Buffer.from(await (await ask(file.href)).arrayBuffer()));
