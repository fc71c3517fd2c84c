namespace Entrepot.IntegrationTests.Conformance;

/// <summary>All sections in the order of the document.</summary>
internal static class Sections
{
    public static IReadOnlyList<Section> All { get; } = [RouteFacts.All, NameFacts.All, ReferenceFacts.All, ManifestFacts.All, MediaTypeFacts.All, AcceptFacts.All, ConditionFacts.All, BlobFacts.All, RangeFacts.All, TagListFacts.All, CatalogFacts.All, ReferrersFacts.All, ReadOnlyFacts.All, UpstreamErrorFacts.All, RoutingFacts.All, LimitFacts.All, TransportFacts.All, FreshnessFacts.All, UpstreamSideFacts.All];
}
