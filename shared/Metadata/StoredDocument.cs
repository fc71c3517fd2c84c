using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>A tag list or a list of referrers, as an upstream gave it.</summary>
/// <param name="Upstream">The upstream's configured name.</param>
/// <param name="Repository">The repository at the upstream.</param>
/// <param name="Kind"><see cref="FetchKind.TagList"/> or <see cref="FetchKind.Referrers"/>.</param>
/// <param name="Reference">The digest referred to, or empty.</param>
/// <param name="Body">The document.</param>
/// <param name="MediaType">Its media type.</param>
public sealed record StoredDocument(string Upstream, string Repository, FetchKind Kind, string Reference, byte[] Body, string MediaType);
