using Entrepot.Hosting;

namespace Entrepot.Fetcher;

/// <summary>Who this fetcher is in the rows it claims.</summary>
/// <param name="Owner">Unique per process start, so that a restarted process is another owner.</param>
/// <param name="Address">Where other processes reach its running fetches; empty when readers are in this process.</param>
public sealed record FetcherIdentity(string Owner, string Address)
{
    /// <summary>The fetcher whose readers are in this process.</summary>
    public static FetcherIdentity Embedded() => new(NewOwner(), "");

    /// <summary>A fetcher that other processes read from.</summary>
    public static FetcherIdentity InCluster(PlatformOptions platform, FetcherOptions options)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(options);
        var listens = platform.ListenAddresses()[0];
        // A wildcard says where to listen and not where to call.
        var host = listens.Address is null ? listens.Host : listens.Address.ToString();
        if (host is "*" or "+" or "0.0.0.0" or "::") host = Environment.MachineName;
        var address = options.AdvertisedUrl ?? new UriBuilder(listens.IsHttps ? "https" : "http", host, listens.Port).Uri;
        return new(NewOwner(), address.ToString());
    }

    private static string NewOwner() => $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
}
