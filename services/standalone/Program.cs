using Entrepot.Api;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Standalone;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Connections;

InlineSockets.Use();

// 1 Settings: every mistake at once, and nothing is touched before they are right.
var start = PlatformStart.Read(args, StandaloneModule.Schema());
if (start.ExitCode is { } code) return code;
var platform = start.Options.Get<PlatformOptions>();

// 2 The data folder is ours alone, so what an earlier process left running is ours to go on with.
using var data = DataFolder.TryOpen(platform.DataDirectory, out var problem);
if (data is null)
{
    await Console.Error.WriteLineAsync($"Entrepot: {problem}");
    return 2;
}

// 3 The services.
var builder = PlatformHost.CreateBuilder(start);
builder.Services.AddStandalone(data, start.Options.Get<UpstreamSettings>());
await using var app = builder.Build();
app.MapApi();

// 4 The database, then everything runs.
try
{
    await app.Services.GetRequiredService<IDatabase>().MigrateAsync(CancellationToken.None);
    await app.Services.GetRequiredService<FetchQueue>().ReclaimAllAsync(CancellationToken.None);
    await app.StartAsync();
}
catch (IOException e) when (e.InnerException is AddressInUseException)
{
    return await FailAsync(new ConfigError("Urls", platform.Urls, "can't be listened on: " + e.Message, "stop what listens there, or name another port").ToString());
}
catch (Exception e) when (e is IOException or DatabaseUnavailableException)
{
    return await FailAsync($"can't start: {e.Message}");
}

// 5 Say hello.
var catalog = app.Services.GetRequiredService<UpstreamCatalog>();
var addresses = platform.ListenAddresses();
foreach (var line in Greeting.Lines(addresses, data.FullPath, catalog)) Console.WriteLine(line);
await app.WaitForShutdownAsync();
return 0;

// What has started already is stopped in order before it is disposed.
async Task<int> FailAsync(string why)
{
    await Console.Error.WriteLineAsync($"Entrepot: {why}");
    await app.StopAsync();
    return 1;
}
