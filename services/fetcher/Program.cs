using Entrepot.Cluster;
using Entrepot.Fetcher;
using Entrepot.Fetcher.Work;
using Entrepot.Hosting;
using Entrepot.Storage;
using Entrepot.Upstreams;

// 1 Settings: every mistake at once.
var start = PlatformStart.Read(args, new OptionsSchema()
    .Add<PlatformOptions>("").Add<UpstreamSettings>("", s => s.Problems().Select(p => new ConfigError(p.Key, p.Value, p.Problem, p.Fix)))
    .Add<FetcherOptions>("Fetcher").AddCluster().AddForOthers("Api", "Janitor"));
if (start.ExitCode is { } code) return code;
var platform = start.Options.Get<PlatformOptions>();

// 2 The spools are ours alone.
using var data = DataFolder.TryOpen(platform.DataDirectory, out var problem);
if (data is null)
{
    await Console.Error.WriteLineAsync($"Entrepot: {problem}");
    return 2;
}

// 3 The services. The doorbell may ring at any fetcher; one that nobody heard for half a minute has been answered by a poll.
var builder = PlatformHost.CreateBuilder(start);
builder.Services.AddCluster(start.Options, bus => bus.AddFetcherConsumers(), new BusQueue("entrepot-fetch-requested", IsOwn: false, MessagesLast: TimeSpan.FromSeconds(30)), statementTimeout: TimeSpan.FromSeconds(8));
builder.Services.AddSingleton(start.Options.Get<UpstreamSettings>().ToCatalog()).AddSingleton<UpstreamClient>();
builder.Services.AddSingleton(p => new SpoolFolder(data.PathOf("spool"), p.GetRequiredService<TimeProvider>(), isKept: false)).AddSingleton<LiveSpools>();
builder.Services.AddSingleton(FetcherIdentity.InCluster(platform, start.Options.Get<FetcherOptions>()));
builder.Services.AddFetcher().AddSingleton<IBeforeStop, OpenWhileRead>();

// 4 Run.
await using var app = builder.Build();
app.MapFetcher();
return await ClusterProcess.RunAsync(app);
