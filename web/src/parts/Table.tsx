// A table that scrolls on its own where it is too wide, with the titles of its columns.
import type { ReactNode } from "react";

/** The title of a column, and the class that it shares with its cells. */
export type Column = string | [title: string, look: "number" | "wide-only"];

export function Table({ columns, children }: { columns: Column[]; children: ReactNode }) {
  return (
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column, i) => {
              const [title, look] = typeof column === "string" ? [column] : column;
              return (
                <th key={i} scope="col" className={look}>
                  {title}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
