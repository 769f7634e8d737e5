// SPDX-License-Identifier: Apache-2.0
//
// Reads what the scripts of tools/gas.sh broadcast, and says what each transaction cost. Usage: gas_report.mjs FOLDER
import { existsSync, readFileSync, readdirSync } from "node:fs";

const folder = process.argv[2];
const read = (name) => readFileSync(`${folder}/${name}`, "utf8");

// Transactions of a broadcast with the names that the script gave them.
function transactions(script, names) {
  const broadcast = JSON.parse(read(script));
  if (broadcast.receipts.length !== names.length) throw new Error(`${script}: ${names.length} names`);
  return broadcast.receipts.map((receipt, i) => {
    if (receipt.status !== "0x1") throw new Error(`${script}: ${names[i]} failed`);
    const sent = broadcast.transactions.find((t) => t.hash === receipt.transactionHash);
    const input = Buffer.from(sent.transaction.input.slice(2), "hex");
    const calldata = input.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
    return { name: names[i], gas: Number(receipt.gasUsed), bytes: input.length, calldata };
  });
}

const names = (name) => read(name).trim().split("\n");
const deployed = JSON.parse(read("Deploy.run.json")).transactions.map((t) => `deploy ${t.contractName ?? "Emission"}`);
const all = [
  ...transactions("Deploy.run.json", deployed),
  ...transactions("Gas.ask.json", names("ask.names")),
  ...transactions("Gas.settle.json", names("settle.names")),
  ...transactions("Gas.grow.json", names("grow.names")),
];
const of = (name) => all.filter((t) => t.name === name);
const gas = (name) => of(name).reduce((sum, t) => sum + t.gas, 0);
const median = (name) => {
  const sorted = of(name).map((t) => t.gas).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

// What a token more costs besides calldata, from the fewest to the most.
const lengths = JSON.parse(read("grow.json")).tokens;
const execution = (length) => of(`long${length}`).reduce((sum, t) => sum + t.gas - t.calldata, 0);
const [fewest, most] = [lengths[0], lengths[lengths.length - 1]];

// Bytes of the deployed contracts, from what the build made.
const build = `${folder}/../contracts/out`;
const sizes = readdirSync(build)
  .map((folder) => `${build}/${folder}/${folder.replace(/\.sol$/, "")}.json`)
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")))
  .filter((artifact) => Object.keys(artifact.metadata?.settings?.compilationTarget ?? {})[0]?.startsWith("src/"))
  .map((artifact) => (artifact.deployedBytecode.object.length - 2) / 2);

for (const t of all) console.error(`${t.name.padEnd(28)} ${String(t.bytes).padStart(8)} bytes ${String(t.gas).padStart(10)} gas`);
console.log(
  JSON.stringify({
    bundled_64_gas: gas("verify"),
    bundled_64_fulfil_gas: gas("fulfil"),
    shape124m_64_gas_100: gas("shape124m_100"),
    shape124m_64_steps_100: of("shape124m_100").length,
    shape124m_64_gas_128: gas("shape124m_128"),
    shape124m_64_steps_128: of("shape124m_128").length,
    batch16_per_request_gas: Math.round(gas("batch") / 16),
    batch16_steps: of("batch").length,
    per_token_gas: Math.round((execution(most) - execution(fewest)) / (most - fewest)),
    long_gas: Object.fromEntries(lengths.map((length) => [length, gas(`long${length}`)])),
    long_steps: Object.fromEntries(lengths.map((length) => [length, of(`long${length}`).length])),
    request_gas: median("request"),
    lock_gas: gas("lock"),
    cancel_gas: gas("cancel"),
    max_contract_bytes: Math.max(...sizes),
    max_transaction_bytes: Math.max(...all.filter((t) => !t.name.startsWith("deploy")).map((t) => t.bytes)),
  }),
);
