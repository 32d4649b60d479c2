// What may be a tag, as the API takes it.
export const mostTags = 32;
export const tagLength = 64;

/** The tags with a typed one; the same array when it says nothing new. */
export function addedTag(tags: string[], typed: string): string[] {
  const tag = typed.trim().slice(0, tagLength);
  return !tag || tags.includes(tag) || tags.length >= mostTags ? tags : [...tags, tag];
}
