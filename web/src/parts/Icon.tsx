// The few signs of the page, drawn as strokes.

const PATHS = {
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  list: "M4 7h3M4 12h3M4 17h3M10 7h10M10 12h10M10 17h10",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.5",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
