using Entrepot.Fetcher;
using Entrepot.Fetcher.Work;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

public sealed class FetchPoolTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_pool_whose_claim_still_waits_for_the_database_stops_when_it_is_told_to()
    {
        await using var database = new WaitingDatabase();
        var services = new ServiceCollection().AddLogging().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<IDatabase>(database);
        services.AddSingleton(new FetcherOptions()).AddSingleton(new FetcherIdentity("f1", "")).AddSingleton(new UpstreamCatalog([], null));
        services.AddSingleton<FetchQueue>().AddSingleton<Draining>().AddSingleton<Outbox>(p => new(p.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton<FetcherMetrics>().AddSingleton<Doorbell>().AddSingleton<LeaseKeeper>().AddHostedService<FetchPool>();
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredService<IHostedService>();
        await pool.StartAsync(CancellationToken.None);
        await database.Asked.WaitAsync(Deadline);
        await Task.Run(() => pool.StopAsync(CancellationToken.None)).WaitAsync(Deadline);
    }

    /// <summary>One that never answers.</summary>
    private sealed class WaitingDatabase : IDatabase
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public SqlDialect Dialect { get; } = SqlDialect.Sqlite();

        public Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => WaitAsync<T>(cancellationToken);

        public Task<T> WriteStatementAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, bool isRepeatable, CancellationToken cancellationToken) => WaitAsync<T>(cancellationToken);

        public Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => WaitAsync<T>(cancellationToken);

        public Task MigrateAsync(CancellationToken cancellationToken) => WaitAsync<int>(cancellationToken);

        public ValueTask DisposeAsync() => default;

        private async Task<T> WaitAsync<T>(CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            // As the embedded database waits: the caller runs on inside the call that cancels.
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            throw new InvalidOperationException("waited for ever");
        }
    }
}
