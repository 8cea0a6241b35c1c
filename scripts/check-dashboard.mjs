// Checks a dashboard against Grafana's own types: node scripts/check-dashboard.mjs NODE_MODULES FILE.
// The dashboard becomes a literal in a TypeScript program, so that unknown keys and wrong values are errors. What Grafana's
// type of a dashboard leaves open, the options and the fields of a panel, is checked by the type of its plug-in.
import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const [modules, file] = process.argv.slice(2).map((argument) => path.resolve(argument));
const ts = createRequire(path.join(modules, "check.js"))("typescript");
const dashboard = JSON.parse(readFileSync(file, "utf8"));

const plugins = [...new Set(dashboard.panels.map((panel) => panel.type))].filter((type) => type !== "row").sort();
const declared = (plugin) => path.join(modules, "@grafana/schema/dist/types/raw/composable", plugin, "panelcfg/x/types.gen");
for (const plugin of plugins) {
  if (!existsSync(`${declared(plugin)}.d.ts`)) fail(`no panel of Grafana is called ${plugin}`);
}

const fields = (plugin) =>
  /interface FieldConfig\b/.test(readFileSync(`${declared(plugin)}.d.ts`, "utf8")) ? `${plugin}.FieldConfig` : "{}";
const source = `
import type { Dashboard, Panel, RowPanel, FieldConfig, FieldConfigSource } from "@grafana/schema";
${plugins.map((plugin) => `import type * as ${plugin} from "${declared(plugin)}";`).join("\n")}

// JSON has the values of enumerations, not their names.
type Plain<T> =
  0 extends 1 & T ? T
  : T extends boolean | null | undefined ? T
  : T extends string ? \`\${T}\`
  : T extends number ? T
  : T extends readonly (infer Item)[] ? Plain<Item>[]
  : T extends object ? { [Key in keyof T]: Plain<T[Key]> }
  : T;

type Target = {
  refId: string;
  datasource: { type: "prometheus"; uid: string };
  expr: string;
  legendFormat: string;
  range: true;
};
type Defaults<Custom> = Omit<FieldConfig, "custom"> & { custom?: Partial<Custom> };
type PanelOf<Type extends string, Options, Custom> =
  & Plain<Omit<Panel, "type" | "options" | "fieldConfig" | "targets">>
  & {
    type: Type;
    title: string;
    description: string;
    targets: Target[];
    options: Plain<Options>;
    fieldConfig: Plain<Omit<FieldConfigSource, "defaults"> & { defaults: Defaults<Custom> }>;
  };
type Known =
${plugins.map((plugin) => `  | PanelOf<"${plugin}", ${plugin}.Options, ${fields(plugin)}>`).join("\n")}
  | Plain<RowPanel>;
type Checked = Omit<Plain<Omit<Dashboard, "panels" | "annotations">>, "panels"> & {
  annotations: { list: Array<Plain<NonNullable<NonNullable<Dashboard["annotations"]>["list"]>[number]> & { expr: string; titleFormat: string }> };
  panels: Known[];
};

export const dashboard: Checked = ${JSON.stringify(dashboard, null, 1)};
`;

// The program stands in memory, beside the modules that it names.
const name = path.join(modules, "dashboard.ts");
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ES2022,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile } = host;
host.getSourceFile = (wanted, ...rest) =>
  wanted === name ? ts.createSourceFile(name, source, options.target) : getSourceFile.call(host, wanted, ...rest);
host.fileExists = (wanted) => wanted === name || fileExists.call(host, wanted);
host.readFile = (wanted) => (wanted === name ? source : readFile.call(host, wanted));
const program = ts.createProgram([name], options, host);
const mistakes = ts.getPreEmitDiagnostics(program);
if (mistakes.length > 0) fail(ts.formatDiagnostics(mistakes, { ...host, getCurrentDirectory: () => modules }));

// What types can't say.
const ids = dashboard.panels.map((panel) => panel.id);
if (new Set(ids).size !== ids.length) fail("two panels have one id");
const titles = dashboard.panels.filter((panel) => panel.type !== "row").map((panel) => `${panel.title} (${panel.type})`);
const placed = dashboard.panels.map(({ title, gridPos: { x, y, w, h } }) => ({ title, x, y, w, h }));
for (const [index, a] of placed.entries()) {
  if (a.x + a.w > 24) fail(`${a.title} is wider than the page`);
  for (const b of placed.slice(index + 1)) {
    if (a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h) fail(`${a.title} lies over ${b.title}`);
  }
}
console.log(`${path.basename(file)}: ${titles.length} panels agree with the types of ${plugins.join(", ")} and none lies over another`);

function fail(message) {
  console.error(message);
  process.exit(1);
}
