using Entrepot.Api;
using Entrepot.Api.Tail;
using Entrepot.Cluster;
using Entrepot.Hosting;
using Entrepot.Storage;
using Entrepot.Upstreams;

// 1 Settings: every mistake at once. That an upstream has an account matters here, its password does not.
var start = PlatformStart.Read(args, new OptionsSchema()
    .Add<PlatformOptions>("").AddWithoutSecrets<UpstreamSettings>("", s => s.Problems(hasSecrets: false).Select(p => new ConfigError(p.Key, p.Value, p.Problem, p.Fix)))
    .Add<ApiOptions>("Api").AddCluster().AddForOthers("Fetcher", "Janitor"));
if (start.ExitCode is { } code) return code;

// 2 The services. Every replica hears of every fetch, so each has a queue of its own.
var builder = PlatformHost.CreateBuilder(start);
builder.Services.AddCluster(start.Options, bus => bus.AddApiConsumers(), new BusQueue($"entrepot-api-{Environment.MachineName}-{Guid.NewGuid():N}", IsOwn: true), statementTimeout: TimeSpan.FromSeconds(3));
builder.Services.AddSingleton(start.Options.Get<UpstreamSettings>().ToCatalog());
builder.Services.AddSingleton<ILiveFetches, RemoteFetches>();
builder.Services.AddApi();

// 3 Run.
await using var app = builder.Build();
app.MapApi();
return await ClusterProcess.RunAsync(app);
