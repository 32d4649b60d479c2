export default function DetailDialog({ id }: { id: string }) {
  return <div data-generation={id} />;
}
