// The first of a long list, and the others when a person asks for them.
import { type ReactNode, useState } from "react";
import { useLanguage } from "../hooks/useLanguage";

export function Few<T>({ all, most, children }: { all: T[]; most: number; children: (shown: T[]) => ReactNode }) {
  const { t } = useLanguage();
  const [isAll, setAll] = useState(false);
  const isCut = !isAll && all.length > most;
  return (
    <>
      {children(isCut ? all.slice(0, most) : all)}
      {isCut && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          {t("more", { count: all.length })}
        </button>
      )}
    </>
  );
}
