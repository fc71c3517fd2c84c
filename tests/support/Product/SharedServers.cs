using System.Text.Json;
using Entrepot.Metadata;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>PostgreSQL, RabbitMQ and an S3 server for the whole run: whoever needs them first starts them, the end of the run ends them. Safe to call from several threads.</summary>
internal static class SharedServers
{
    // Each call of RabbitMQ's tool starts an Erlang machine.
    private const int VirtualHostsAtOnce = 16;
    private const string Template = "entrepot";
    private static readonly Lazy<Task<EntrepotCluster>> Started = new(StartAsync);
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static readonly Queue<string> Names = new();
    private static readonly TempFolder Folder = new("vhosts");
    private static int _count;

    /// <summary>A database, a virtual host and a bucket that nobody else uses.</summary>
    public static async Task<ServerShare> NewShareAsync(CancellationToken cancellationToken)
    {
        var servers = await Started.Value;
        var name = await NextNameAsync(servers, cancellationToken);
        await servers.QueryAsync($"CREATE DATABASE {name} TEMPLATE {Template}", "postgres", cancellationToken);
        return new ServerShare(servers, name);
    }

    /// <summary>The schema is made once: three processes that each make sure of it take seconds.</summary>
    private static async Task<EntrepotCluster> StartAsync()
    {
        var servers = await EntrepotCluster.StartServersAsync();
        await using var template = new PostgresDatabase(servers.ConnectionStringTo(Template) + ";Pooling=false");
        await template.MigrateAsync(CancellationToken.None);
        return servers;
    }

    private static async Task<string> NextNameAsync(EntrepotCluster servers, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        try
        {
            if (Names.Count == 0)
            {
                for (var i = 0; i < VirtualHostsAtOnce; i++) Names.Enqueue($"share{++_count}");
                var definitions = new
                {
                    vhosts = Names.Select(name => new { name }),
                    permissions = Names.Select(vhost => new { user = "guest", vhost, configure = ".*", write = ".*", read = ".*" }),
                };
                var file = Folder.File("definitions.json");
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(definitions), cancellationToken);
                await servers.RabbitMqCtlAsync(["import_definitions", file], cancellationToken);
            }
            return Names.Dequeue();
        }
        finally
        {
            Gate.Release();
        }
    }
}

/// <summary>What one Entrepot has of the shared servers; all of it has the same name.</summary>
internal sealed class ServerShare(EntrepotCluster servers, string name) : IAsyncDisposable
{
    /// <summary>Npgsql's connection string to the database.</summary>
    public string PostgresConnection => servers.ConnectionStringTo(name);

    /// <summary>The virtual host.</summary>
    public string Bus => new Uri(servers.UrlOf("rabbitmq"), name).ToString();

    /// <summary>The bucket.</summary>
    public TestBucket S3 { get; } = new(servers.UrlOf("s3"), name);

    /// <summary>Frees what takes room.</summary>
    public async ValueTask DisposeAsync()
    {
        await servers.QueryAsync($"DROP DATABASE {name} WITH (FORCE)", "postgres");
        await S3.EmptyAsync(andBucket: true);
        S3.Dispose();
    }
}
