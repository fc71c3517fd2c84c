using Entrepot.Cluster;
using Entrepot.Hosting;
using Entrepot.Janitor;

// 1 Settings: every mistake at once.
var start = PlatformStart.Read(args, new OptionsSchema()
    .Add<PlatformOptions>("").Add<JanitorOptions>("Janitor").AddCluster().AddForOthers("DefaultUpstream", "Upstreams", "Api", "Fetcher"));
if (start.ExitCode is { } code) return code;

// 2 The services. Accesses wait as long as it takes: the queue is bounded, and its oldest tell least.
var builder = PlatformHost.CreateBuilder(start);
builder.Services.AddCluster(start.Options, bus => bus.AddJanitorConsumers(), new BusQueue("entrepot-content-accessed", IsOwn: false), statementTimeout: TimeSpan.FromMinutes(1));
builder.Services.AddJanitor();

// 3 Run.
await using var app = builder.Build();
return await ClusterProcess.RunAsync(app);
