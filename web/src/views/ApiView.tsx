// The addresses of the API as its own description lists them.
import { useJson } from "../hooks/useJson";
import { useLanguage } from "../hooks/useLanguage";
import { type Endpoint, type OpenApi, endpoints } from "../lib/openapi";
import { Answered } from "../parts/Answered";

const SPEC = "/openapi.json";

export function ApiView() {
  const { t } = useLanguage();
  const answer = useJson<OpenApi>(SPEC);
  const [before, after] = t("api.spec").split("{address}");
  return (
    <>
      <h1>{t("api.title")}</h1>
      <p className="lead">
        {t("api.hint")} {before}
        <a href={SPEC}>{SPEC}</a>
        {after}
      </p>
      <Answered answer={answer} height={400}>
        {(data) => endpoints(data).map((endpoint) => <Address key={endpoint.path + endpoint.method} endpoint={endpoint} />)}
      </Answered>
    </>
  );
}

function Address({ endpoint: { method, path, summary, description, parameters } }: { endpoint: Endpoint }) {
  const { t } = useLanguage();
  const isPlain = method === "GET" && !path.includes("{");
  return (
    <section className="card endpoint" aria-label={`${method} ${path}`}>
      <h2>
        <span className="method">{method}</span> {isPlain ? <a href={path}>{path}</a> : path}
      </h2>
      {summary && <p>{summary}</p>}
      {description && description !== summary && <p className="soft description">{description}</p>}
      {parameters.length > 0 && (
        <>
          <h3>{t("api.parameters")}</h3>
          <dl className="parameters">
            {parameters.map(({ name, required, type, initial, text }) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>
                  <span className="soft">{[type, required ? t("api.required") : null, initial].filter(Boolean).join(", ")}</span>
                  {text && ` ${text}`}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}
