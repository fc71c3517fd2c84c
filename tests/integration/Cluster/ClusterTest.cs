using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Tests of the shared cluster, each of which begins with a whole one: they may leave it as broken as they like, when they fail too.</summary>
public abstract class ClusterTest(ClusterFixture fixture) : IAsyncLifetime
{
    protected ClusterFixture Fixture => fixture;

    /// <summary>The first replica.</summary>
    protected Uri Api => fixture.Cluster.Apis[0];

    public Task InitializeAsync() => fixture.MendAsync();

    public Task DisposeAsync() => Task.CompletedTask;
}
