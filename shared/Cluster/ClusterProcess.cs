using Entrepot.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Cluster;

/// <summary>Runs one process of the cluster from its start to its end.</summary>
public static class ClusterProcess
{
    /// <summary>Listens until told to stop.</summary>
    /// <returns>The exit code: 0 after an orderly stop, 1 when the address can't be listened on.</returns>
    public static async Task<int> RunAsync(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var platform = (PlatformOptions)app.Services.GetService(typeof(PlatformOptions))!;
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"Entrepot: {new ConfigError("Urls", platform.Urls, "can't be listened on: " + e.Message, "stop what listens there, or name another port")}");
            await app.StopAsync();
            return 1;
        }
        Console.WriteLine($"{app.Environment.ApplicationName} listens on {string.Join(", ", platform.ListenAddresses())}");
        await app.WaitForShutdownAsync();
        return 0;
    }
}
