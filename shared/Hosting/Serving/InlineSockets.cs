namespace Entrepot.Hosting;

/// <summary>
/// Lets sockets complete on the threads that poll them instead of handing each completion to the pool: a hit from memory is then received,
/// answered and sent without changing threads, for a third less CPU. Little else may stay on such a thread: <see cref="IShortcut"/> is asked there and a
/// sendfile(2) that waited goes on; the rest of a request, TLS and every read of an upstream are in the pool (docs/adr/0009).
/// </summary>
public static class InlineSockets
{
    private const string Switch = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Turns it on for this process, unless the environment says otherwise. Before the first socket is made; the runtime reads it once.</summary>
    public static void Use()
    {
        if (Environment.GetEnvironmentVariable(Switch) is null) Environment.SetEnvironmentVariable(Switch, "1");
    }
}
