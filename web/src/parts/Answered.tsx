// What an answer of the API gives to see: its content, a place kept for it, and what went wrong, beside what came before.
import type { ReactNode } from "react";
import type { Answer } from "../hooks/useJson";
import { ErrorNote, Loading } from "./Notes";

export function Answered<T>({ answer, height, children }: { answer: Answer<T>; height: number; children: (data: T) => ReactNode }) {
  const { data, error, retry } = answer;
  return (
    <>
      {error && <ErrorNote error={error} retry={retry} />}
      {data !== null ? children(data) : !error && <Loading height={height} />}
    </>
  );
}
