namespace Entrepot.Metadata;

/// <summary>A tag list or a list of referrers as last received.</summary>
/// <param name="Body">The document.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="CheckedAt">When it was received.</param>
/// <param name="Age">How long ago that was, by the database's clock.</param>
public sealed record DocumentFacts(byte[] Body, string MediaType, DateTimeOffset CheckedAt, TimeSpan Age);
