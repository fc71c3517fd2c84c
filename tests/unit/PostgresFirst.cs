using Entrepot.UnitTests.Metadata;
using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Entrepot.UnitTests.PostgresFirst", "Entrepot.UnitTests")]

namespace Entrepot.UnitTests;

/// <summary>Begins with what shares one PostgreSQL server: it takes as long as all the rest, which runs beside it.</summary>
public sealed class PostgresFirst : ITestCollectionOrderer
{
    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.DisplayName == PostgresCollection.Name ? 0 : 1);
}
