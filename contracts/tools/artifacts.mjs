// SPDX-License-Identifier: Apache-2.0
//
// ABI and creation code of the contracts that are deployed, from what the build made, into artifacts/. With --check it
// compares instead: exit code 1 if a file is another. Run in contracts/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const contracts = [
  "AnswerVerifier", "AvowToken", "Emission", "Erc7992", "Genesis", "LookupVerifier", "Market", "ModelRegistry",
  "OpeningVerifier", "ReductionVerifier", "WeightVerifier",
];
const mostBytes = 24576;
const check = process.argv[2] === "--check";
let good = true;
if (!check) mkdirSync("artifacts", { recursive: true });
for (const name of contracts) {
  const built = JSON.parse(readFileSync(`../build/contracts/release/out/${name}.sol/${name}.json`, "utf8"));
  const bytes = (built.deployedBytecode.object.length - 2) / 2;
  if (bytes > mostBytes) {
    console.error(`${name} has ${bytes} bytes; a contract may have ${mostBytes}`);
    good = false;
  }
  const text = JSON.stringify({ version: 1, name, abi: built.abi, bytecode: built.bytecode.object }, null, 1) + "\n";
  const path = `artifacts/${name}.json`;
  if (!check) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error(`${path} is not what the sources give: tools/contracts.sh artifacts writes it`);
    good = false;
  }
}
process.exit(good ? 0 : 1);
