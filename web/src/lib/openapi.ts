// What a person needs of an OpenAPI description: addresses, parameters, words.

interface Schema {
  type?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
}

interface RawParameter {
  name: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Operation {
  summary?: string;
  description?: string;
  parameters?: RawParameter[];
}

export interface OpenApi {
  paths?: Record<string, Record<string, Operation>>;
}

export interface Parameter {
  name: string;
  required: boolean;
  type: string;
  initial: string;
  text: string;
}

export interface Endpoint {
  method: string;
  path: string;
  summary: string;
  description: string;
  parameters: Parameter[];
}

const METHODS = ["get", "post"];

/** The endpoints in the order of the description; HEAD goes without saying. */
export function endpoints({ paths = {} }: OpenApi): Endpoint[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, { summary = "", description = "", parameters = [] }]) => ({
        method: method.toUpperCase(),
        path,
        summary,
        description,
        parameters: parameters.map(parameter),
      })),
  );
}

function parameter({ name, required = false, description = "", schema = {} }: RawParameter): Parameter {
  const initial = schema.default === undefined || schema.default === null ? "" : `= ${String(schema.default)}`;
  return { name, required, type: typeText(schema), initial, text: description };
}

function typeText({ type, enum: values, anyOf }: Schema): string {
  if (values) return values.join(" | ");
  if (anyOf) return [...new Set(anyOf.map(typeText))].filter((text) => text && text !== "null").join(" | ");
  return type ?? "";
}
