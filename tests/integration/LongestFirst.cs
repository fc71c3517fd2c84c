using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Entrepot.IntegrationTests.LongestFirst", "Entrepot.IntegrationTests")]

namespace Entrepot.IntegrationTests;

/// <summary>Begins with the collections that take minutes: of those that run at the same time none is then left to run alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest = [MachineCollection.Name, nameof(SendFileTests), nameof(UpstreamFaultTests), Conformance.ConformanceCollection.Name];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => (uint)Array.FindIndex(Longest, name => collection.DisplayName.EndsWith(name, StringComparison.Ordinal)));
}
