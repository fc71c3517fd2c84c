namespace Entrepot.Hosting;

/// <summary>What keeps a process that is told to stop open to requests: others need it for that.</summary>
public interface IBeforeStop
{
    /// <summary>Completes when nobody needs it any more. The token ends it when <see cref="PlatformOptions.ShutdownGrace"/> is over.</summary>
    Task WaitAsync(CancellationToken cancellationToken);
}
