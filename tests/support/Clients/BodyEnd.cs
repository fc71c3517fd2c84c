namespace Entrepot.TestSupport.Clients;

/// <summary>How a body ended for its reader.</summary>
public enum BodyEnd
{
    /// <summary>As announced: every byte of Content-Length, or the last chunk.</summary>
    Whole,

    /// <summary>Too early, by an orderly close (FIN). Clients resume from it.</summary>
    Early,

    /// <summary>Too early, by a reset (RST).</summary>
    Reset,

    /// <summary>The reader gave up: its token was cancelled, or it was told to stop.</summary>
    GivenUp,
}
