using Entrepot.Cluster;
using Entrepot.Hosting;
using Entrepot.Janitor;
using Entrepot.Janitor.Sweeps;
using Entrepot.Metadata;
using Entrepot.Storage;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Metadata;
using Entrepot.UnitTests.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Janitor;

public sealed class SweepTimerTests() : DatabaseFacts(new SqliteTestServer())
{
    [Fact]
    public async Task An_object_that_the_store_will_not_remove_keeps_no_other_and_does_not_make_it_list_again_and_again()
    {
        var keys = new[] { 1, 2 }.Select(i => "blobs/" + BlobKeys.Of(Entrepot.Oci.Digest.Parse(Digest(i)), i)).ToArray();
        var removed = 0;
        await using var server = await FakeRegistry.StartAsync(async (context, _) =>
        {
            if (context.Request.Method == "DELETE")
            {
                if (context.Request.Path.Value!.EndsWith(keys[0], StringComparison.Ordinal)) context.Response.StatusCode = 403;
                else context.Response.StatusCode = Interlocked.Increment(ref removed) > 0 ? 204 : 0;
                return;
            }
            context.Response.ContentType = "application/xml";
            await context.Response.WriteAsync($"<ListBucketResult><IsTruncated>false</IsTruncated>{string.Concat(keys.Select(key => $"<Contents><Key>{key}</Key><Size>1</Size><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"))}</ListBucketResult>");
        });
        var uploads = new Uploads(Database);
        await using var provider = Services(server, uploads).BuildServiceProvider();
        var timer = provider.GetRequiredService<IHostedService>();
        await timer.StartAsync(None);
        await Eventually.Async(() => Volatile.Read(ref removed) > 0, TimeSpan.FromSeconds(20), "the other object to be removed");
        // Two more sweeps.
        for (var sweep = 1; sweep <= 2; sweep++)
        {
            await uploads.AddAsync(Digest(sweep), sweep, None);
            await Eventually.Async(async () => await CountAsync("uploads") == 0, TimeSpan.FromSeconds(20), "a sweep");
        }
        await timer.StopAsync(None);
        Assert.Single(server.Seen, seen => seen.Query.Contains("list-type=2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_store_is_listed_at_the_start_and_then_far_less_often_than_its_uploads_are_swept()
    {
        await using var server = await FakeRegistry.StartAsync(async (context, _) =>
        {
            context.Response.ContentType = "application/xml";
            await context.Response.WriteAsync("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        });
        var uploads = new Uploads(Database);
        await using var provider = Services(server, uploads).BuildServiceProvider();
        var timer = provider.GetRequiredService<IHostedService>();
        await timer.StartAsync(None);

        // Each of them is seen by another sweep.
        for (var sweep = 1; sweep <= 3; sweep++)
        {
            await uploads.AddAsync(Digest(sweep), sweep, None);
            await Eventually.Async(async () => await CountAsync("uploads") == 0, TimeSpan.FromSeconds(20), "a sweep");
        }
        await timer.StopAsync(None);
        Assert.Single(server.Seen, seen => seen.Query.Contains("list-type=2", StringComparison.Ordinal));
    }

    private IServiceCollection Services(FakeRegistry server, Uploads uploads)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton(Database).AddSingleton(Queue).AddSingleton(new Retention(Database));
        services.AddSingleton(new JanitorOptions { SweepInterval = TimeSpan.FromMilliseconds(500), OrphanGrace = TimeSpan.Zero });
        services.AddSingleton<IBlobStore>(_ => new S3BlobStore(new StoreSettings { Endpoint = server.Url, AccessKey = "a", SecretKey = "s" }, uploads, TimeProvider.System));
        return services.AddJanitor();
    }
}
